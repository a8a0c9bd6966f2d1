// The Azure SQL database, with the catalogue and the recommendations.
param name string
param location string
param administratorsName string
param administratorsId string
param subnetId string
param zoneId string
param workspaceId string

resource server 'Microsoft.Sql/servers@2021-11-01' = {
  name: name
  location: location
  properties: {
    minimalTlsVersion: '1.2'
    publicNetworkAccess: 'Disabled'
    administrators: {
      administratorType: 'ActiveDirectory'
      azureADOnlyAuthentication: true
      principalType: 'Group'
      login: administratorsName
      sid: administratorsId
      tenantId: tenant().tenantId
    }
  }
}

resource database 'Microsoft.Sql/servers/databases@2021-11-01' = {
  parent: server
  name: 'mfcc'
  location: location
  sku: {
    name: 'GP_S_Gen5'
    tier: 'GeneralPurpose'
    family: 'Gen5'
    capacity: 2
  }
  properties: {
    // In minutes. This is the shortest delay that Azure allows. Without new files, sensors query the database only in
    // sweeps; see COSTS.md.
    autoPauseDelay: 15
    minCapacity: json('0.5')
    // Names that differ only in case are different, like names of blobs.
    collation: 'Latin1_General_100_BIN2_UTF8'
    requestedBackupStorageRedundancy: 'Zone'
  }
}

resource backups 'Microsoft.Sql/servers/databases/backupShortTermRetentionPolicies@2021-11-01' = {
  parent: database
  name: 'default'
  properties: {
    retentionDays: 14
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: database
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'Errors'
        enabled: true
      }
      {
        category: 'Timeouts'
        enabled: true
      }
      {
        category: 'Deadlocks'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Basic'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'sql-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: server.id
    part: 'sqlServer'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output server string = server.properties.fullyQualifiedDomainName
output database string = database.name
