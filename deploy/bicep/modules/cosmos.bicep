// The Cosmos DB account, with the documents of uploads.
param name string
param location string
param retentionDays int
param writerId string
param readerId string
param pagesId string
param subnetId string
param zoneId string
param workspaceId string

var roles = loadJsonContent('../roles.json')
var secondsADay = 86400

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-05-15' = {
  name: name
  location: location
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: [
      {
        name: 'EnableServerless'
      }
    ]
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    consistencyPolicy: {
      // Another process must be able to read what a step has just written.
      defaultConsistencyLevel: 'Strong'
    }
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
    disableLocalAuth: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: 'Disabled'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-05-15' = {
  parent: account
  name: 'mfcc'
  properties: {
    resource: {
      id: 'mfcc'
    }
  }
}

resource uploads 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-05-15' = {
  parent: database
  name: 'uploads'
  properties: {
    resource: {
      id: 'uploads'
      partitionKey: {
        paths: [
          '/id'
        ]
        kind: 'Hash'
      }
      // A purge needs the document, so a document outlives its upload by a week. With -1, none is deleted automatically.
      defaultTtl: retentionDays > 0 ? (retentionDays + 7) * secondsADay : -1
      indexingPolicy: loadJsonContent('../cosmos-indexing.json')
    }
  }
}

// These follow one after the other, because an account refuses a change while another one is in progress.
resource writes 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-05-15' = {
  parent: account
  name: guid(account.id, writerId, roles.cosmosDataContributor)
  properties: {
    principalId: writerId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${roles.cosmosDataContributor}'
    scope: account.id
  }
  dependsOn: [
    uploads
  ]
}

resource reads 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-05-15' = {
  parent: account
  name: guid(account.id, readerId, roles.cosmosDataReader)
  properties: {
    principalId: readerId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${roles.cosmosDataReader}'
    scope: account.id
  }
  dependsOn: [
    writes
  ]
}

// The pages write the documents of new uploads and of shared answers.
resource pagesWrite 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2024-05-15' = {
  parent: account
  name: guid(account.id, pagesId, roles.cosmosDataContributor)
  properties: {
    principalId: pagesId
    roleDefinitionId: '${account.id}/sqlRoleDefinitions/${roles.cosmosDataContributor}'
    scope: account.id
  }
  dependsOn: [
    reads
  ]
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'ControlPlaneRequests'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Requests'
        enabled: true
      }
    ]
  }
}

module endpoint 'endpoint.bicep' = {
  name: 'cosmos-endpoint'
  params: {
    name: 'pe-${name}'
    location: location
    serviceId: account.id
    part: 'Sql'
    subnetId: subnetId
    zoneId: zoneId
  }
  dependsOn: [
    pagesWrite
  ]
}

output url string = account.properties.documentEndpoint
output database string = database.name
