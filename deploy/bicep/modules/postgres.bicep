// The database of Dagster, with runs, events and sensors. Dagster cannot use SQL Server for it.
param name string
param location string
param dagsterId string
param dagsterName string
param subnetId string
param zoneId string
param workspaceId string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  sku: {
    name: 'Standard_B1ms'
    tier: 'Burstable'
  }
  properties: {
    version: '16'
    storage: {
      storageSizeGB: 32
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: 14
      geoRedundantBackup: 'Disabled'
    }
    // Dagster connects with a token of its identity. So no password has to be kept or rotated.
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    network: {
      publicNetworkAccess: 'Disabled'
    }
  }
}

// This server has only the database of Dagster, so the identity of Dagster can own it. A new server refuses administrators
// for a while. The private endpoint takes longer than that, so the administrator waits for it.
resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: dagsterId
  properties: {
    principalName: dagsterName
    principalType: 'ServicePrincipal'
    tenantId: tenant().tenantId
  }
  dependsOn: [
    endpoint
  ]
}

// Without an administrator, the database would belong to a user of Azure, and nobody could create tables in it.
resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'dagster'
  dependsOn: [
    administrator
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PostgreSQLLogs'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'postgres-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: server.id
    part: 'postgresqlServer'
    subnetId: subnetId
    zoneId: zoneId
  }
}

output server string = server.properties.fullyQualifiedDomainName
